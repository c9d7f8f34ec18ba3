import { userInfo } from 'node:os';
import { type Environment } from '../../integrations/files/dot-env';

/** Variables that CI systems set to whoever caused the job: GitHub, GitLab, CircleCI, Buildkite, Jenkins. */
const CI = [
  'GITHUB_ACTOR',
  'GITLAB_USER_LOGIN',
  'CIRCLE_USERNAME',
  'BUILDKITE_BUILD_CREATOR',
  'BUILD_USER_ID',
];

/** Who starts a run, for MLflow's column of users: the person that a CI job runs for, or the user of this machine. */
export function userName(env: Environment): string {
  const known = [...CI, 'LOGNAME', 'USER', 'USERNAME'].map((name) => env[name]).find((name) => name);
  return (known ?? systemUser()).slice(0, 100);
}

/** Users without an entry, as in many containers, have a number only. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
