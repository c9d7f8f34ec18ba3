import { type TableFlags } from '../data/table-flags';

/** Options of `retrain drift`, as commander gives them. */
export interface DriftFlags extends TableFlags {
  data?: string;
  log: boolean;
  window?: string;
  until?: string;
  params: string;
  report?: string;
  keep: boolean;
  key?: string;
  failOnAlarm: boolean;
  json: boolean;
}
