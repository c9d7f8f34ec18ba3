import { z } from 'zod';

/**
 * Which project a run, a worker or a workflow belongs to: what keeps two projects on one Temporal server apart. It takes no part in
 * the pipeline key.
 */
export const ProjectIdentity = z.object({
  /** RETRAIN_PROJECT_ID, or `host/owner/name` of the git remote with the folder in it, or the folder's name and a hash of its path. */
  id: z.string().min(1).max(300),
  /** Where its folder’s path holds: the machine, or the container. */
  host: z.string().max(255),
  /** False: from a folder, which has another path on another machine. */
  certain: z.boolean(),
});
export type ProjectIdentity = z.infer<typeof ProjectIdentity>;

/**
 * Whether two are known to be different projects. One that is known by its folder only can be told from others of its own
 * machine, and not from those of another one, or of a container, where the same project lies elsewhere.
 */
export function areDifferent(one: ProjectIdentity, other: ProjectIdentity): boolean {
  return one.id !== other.id && ((one.certain && other.certain) || one.host === other.host);
}
