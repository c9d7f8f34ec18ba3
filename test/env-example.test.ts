import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '..');

test('.env.example has every variable that the product reads', () => {
  const files = execFileSync(
    'git',
    ['ls-files', 'client', 'worker', 'integrations', 'pipeline', 'serving', 'temporal'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  )
    .split('\n')
    .filter((file) => file.endsWith('.ts'));
  const read = new Set(
    files.flatMap((file) =>
      [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/env\['([A-Z0-9_]+)'\]|'(AWS_[A-Z_]+)'/g)].map(
        ([, name, aws]) => name ?? aws ?? '',
      ),
    ),
  );
  const told = new Set(
    [...readFileSync(path.join(ROOT, '.env.example'), 'utf8').matchAll(/^#?([A-Z0-9_]+)=/gm)].map(
      ([, name = '']) => name,
    ),
  );
  const relevant = [...read].filter((name) =>
    /^(RETRAIN|TEMPORAL|MLFLOW|DOCKER|AWS|S3|SLACK|SMTP|LOG)_/.test(name),
  );
  expect(relevant.length).toBeGreaterThan(30);
  expect(relevant.filter((name) => !told.has(name))).toEqual([]);
});
