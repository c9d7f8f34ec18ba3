import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../../integrations/dvc/config-file';
import { readDvcConfig, remoteNamed } from '../../../integrations/dvc/dvc-config';
import { dvc, dvcInit, judged } from './real-dvc';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'config-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = (path: string, text: string) => {
  mkdirSync(join(dir, path, '..'), { recursive: true });
  writeFileSync(join(dir, path), text);
};
const read = () => readDvcConfig(join(dir, '.dvc'), [join(dir, 'system'), join(dir, 'user')]);

// What configobj 5.0.9 makes of each line.
test.each<[string, string | string[]]>([
  ['a = s3://bucket/path', 's3://bucket/path'],
  ['a = reflink,hardlink , copy', ['reflink', 'hardlink', 'copy']],
  ['a = "quoted, comma"', 'quoted, comma'],
  ["a = 'x # y'", 'x # y'],
  ['a = value # comment', 'value'],
  ['a = x#y', 'x'],
  ['a = "x", y', ['x', 'y']],
  ['a =', ''],
  ['a = one,', ['one']],
  ['a = pass"word', 'pass"word'],
  ["a = it's", "it's"],
  [`a = '''it's "x"'''`, `it's "x"`],
  ['a = " lead"', ' lead'],
])('%s is read as configobj reads it', (line, value) => {
  expect(parseConfig(`[core]\n  ${line}\n`).get('core')?.get('a')).toEqual(value);
});

test('later levels win, setting by setting, and paths are relative to the file that names them', async () => {
  write('system/config', '[core]\nremote = far\n[\'remote "far"\']\nurl = s3://far/x\nregion = eu-1\n');
  write('user/config', '[\'remote "far"\']\nregion = eu-2\n');
  write(
    '.dvc/config',
    '[core]\n    remote = Near\n[\'remote "Near"\']\n    url = ../../data # beside the project\n',
  );
  write(
    '.dvc/config.local',
    '[\'remote "far"\']\n  secret_access_key = s3cret\n[cache]\n  dir = /var/cache/dvc\n  type = hardlink,copy\n',
  );
  const config = await read();
  expect(config).toMatchObject({ cacheDir: '/var/cache/dvc', cacheTypes: ['hardlink', 'copy'] });
  expect(remoteNamed(config)).toEqual({ url: join(dir, '..', 'data') });
  expect(remoteNamed(config, 'far')).toEqual({
    url: 's3://far/x',
    region: 'eu-2',
    secret_access_key: 's3cret',
  });
});

test('without any file there is the default cache and no remote, which is said', async () => {
  const config = await read();
  expect(config).toMatchObject({ cacheDir: join(dir, '.dvc/cache'), cacheTypes: ['reflink', 'copy'] });
  expect(() => remoteNamed(config)).toThrow('no default remote (none is configured)');
  expect(() => remoteNamed(config, 'x')).toThrow('remote "x" is not configured (none is configured)');
});

test('a remote may build on another', async () => {
  write(
    '.dvc/config',
    '[\'remote "base"\']\nurl = s3://b/x/\nregion = r\n[\'remote "sub"\']\nurl = remote://base/y\nprofile = p\n',
  );
  expect(remoteNamed(await read(), 'sub')).toEqual({ url: 's3://b/x/y', region: 'r', profile: 'p' });
});

test('~ is the home folder', async () => {
  write('.dvc/config', '[cache]\ndir = ~/cache\n');
  expect((await read()).cacheDir).toBe(join(homedir(), 'cache'));
});

judged('what dvc remote add and dvc remote modify write is read', async () => {
  dvcInit(dir);
  dvc(dir, 'remote', 'add', '-d', 'my-storage', 's3://bucket/some path');
  dvc(dir, 'remote', 'modify', '--local', 'my-storage', 'secret_access_key', 'a#b,c"d');
  dvc(dir, 'config', 'cache.type', 'reflink,hardlink,copy');
  dvc(dir, 'config', 'cache.dir', '../shared');
  const config = await read();
  expect(remoteNamed(config)).toEqual({ url: 's3://bucket/some path', secret_access_key: 'a#b,c"d' });
  expect(config.cacheTypes).toEqual(['reflink', 'hardlink', 'copy']);
  expect(config.cacheDir).toBe(dvc(dir, 'cache', 'dir').trim());
});
