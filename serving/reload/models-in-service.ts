import { type LiveModel, type Role } from './live-model';

/** How the models came to be what they are; the same for people (`/health`) and programs. */
export interface ReloadStatus {
  /** `starting`: the registry has not been asked yet; `waiting`: there is nothing to serve; `degraded`: serves, but something is wrong. */
  state: 'starting' | 'waiting' | 'ok' | 'degraded';
  /** One line on what is wrong, and what to do; null when all is well. */
  why: string | null;
  mlflow: {
    reachable: boolean;
    /** Epoch ms of the last answer; null: none so far. */
    lastAnswerAt: number | null;
  };
  /** Epoch ms at which the alias was last looked at, whatever came of it. */
  lastCheckAt: number | null;
  /** Versions that were refused, newest last, and why. */
  refused: readonly { version: string; why: string; at: number }[];
  /** Swaps since the start, the first model included. */
  reloads: number;
}

/** Which models answer now. */
export interface ModelsInService {
  /** The model in production; null: there is none yet. */
  production(): LiveModel | null;
  /** The model that answers a request; the same one for the same key, while the models stay. */
  choose(key: string | undefined): { live: LiveModel; role: Role } | null;
  /** The candidate that answers a share of the requests. */
  canary(): { live: LiveModel; percent: number } | null;
  /** The candidate that hears every request, and whose answers nobody gets. */
  shadow(): LiveModel | null;
  status(): ReloadStatus;
  /** Looks at the alias now; versions that were refused get another chance. */
  reload(): Promise<ReloadStatus>;
}
