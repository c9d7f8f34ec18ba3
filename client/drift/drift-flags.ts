/** Options of `retrain drift`, as commander gives them. */
export interface DriftFlags {
  data?: string;
  log: boolean;
  window?: string;
  until?: string;
  files?: string;
  alias: string[];
  separator?: string;
  decimal?: string;
  quote?: string;
  encoding?: string;
  missing?: string;
  params: string;
  report?: string;
  keep: boolean;
  key?: string;
  failOnAlarm: boolean;
  json: boolean;
}
