import { webLink } from '../../../integrations/git/web-link';

const COMMIT = '0123456789012345678901234567890123456789';

test.each([
  ['https://github.com/team/iris.git', `https://github.com/team/iris/blob/${COMMIT}/data/iris.csv`],
  ['git@github.com:team/iris.git', `https://github.com/team/iris/blob/${COMMIT}/data/iris.csv`],
  [
    'ssh://git@gitlab.com:2222/group/sub/iris',
    `https://gitlab.com/group/sub/iris/-/blob/${COMMIT}/data/iris.csv`,
  ],
  ['https://dagshub.com/team/iris', `https://dagshub.com/team/iris/src/${COMMIT}/data/iris.csv`],
  ['https://codeberg.org/team/iris.git', `https://codeberg.org/team/iris/src/commit/${COMMIT}/data/iris.csv`],
])('%s has the page of a file', (remote, page) => {
  expect(webLink(remote, COMMIT, 'data/iris.csv')).toBe(page);
});

test('names are encoded part by part', () => {
  expect(webLink('https://github.com/a/b', COMMIT, 'data/raw #1/ä.csv')).toBe(
    `https://github.com/a/b/blob/${COMMIT}/data/raw%20%231/%C3%A4.csv`,
  );
});

test.each(['', '/srv/git/iris.git', '../iris', 'https://git.example.org/iris.git', 'file:///srv/iris'])(
  'there is no page for a remote such as "%s"',
  (remote) => {
    expect(webLink(remote, COMMIT, 'data/iris.csv')).toBeNull();
  },
);
