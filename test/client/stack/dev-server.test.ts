import { devServerArguments, devServerEnvironment } from '../../../client/stack/dev-server';
import { scheduleUrl, workflowUrl } from '../../../temporal/web-ui';

describe('devServerArguments', () => {
  const args = devServerArguments({
    port: 17233,
    ui: { host: '127.1.2.3', port: 18233 },
    namespace: 'default',
    dbFile: '/state/t.db',
  });

  it('binds server and Web UI to the loopback interface', () => {
    expect(args.join(' ')).toContain('--ip 127.0.0.1 --ui-ip 127.1.2.3 --port 17233 --ui-port 18233');
  });

  it('registers every search attribute with its type', () => {
    const attributes = args.filter((_, i) => args[i - 1] === '--search-attribute');
    expect(attributes.sort()).toEqual([
      ...['Alarm=Keyword', 'DataHash=Keyword', 'GitCommit=Keyword', 'Model=Keyword', 'PipelineKey=Keyword'],
      ...['Promoted=Bool', 'Stage=Keyword'],
    ]);
  });

  it('lifts the limit of 20 dispatches a second, calls nobody outside, and closes the HTTP API to pages', () => {
    const settings = args.filter((_, i) => args[i - 1] === '--dynamic-config-value');
    expect(settings).toEqual([
      expect.stringMatching(/^frontend.httpAllowedHosts=\["[0-9a-f]{32}\.invalid"\]$/),
      'history.transferProcessorMaxPollRPS=5000',
      'frontend.enableServerVersionCheck=false',
    ]);
  });

  it('keeps everything in memory without a file', () => {
    expect(
      devServerArguments({ port: 1, ui: { host: '127.0.0.1', port: 2 }, namespace: 'default' }),
    ).not.toContain('--db-filename');
  });
});

describe('devServerEnvironment', () => {
  it('leaves out what the program would take for its own options', () => {
    expect(devServerEnvironment({ PATH: '/bin', TEMPORAL_ADDRESS: 'x', TEMPORAL_API_KEY: 'y' })).toEqual({
      PATH: '/bin',
    });
  });
});

describe('links to the Web UI', () => {
  it('lead to a workflow execution, with the id encoded', () => {
    expect(workflowUrl('http://127.0.0.1:8233', 'default', 'a/b c', 'run-1')).toBe(
      'http://127.0.0.1:8233/namespaces/default/workflows/a%2Fb%20c/run-1/history',
    );
  });

  it('lead to the latest execution without a run id', () => {
    expect(workflowUrl('http://ui', 'ml', 'w')).toBe('http://ui/namespaces/ml/workflows/w');
  });

  it('lead to a schedule', () => {
    expect(scheduleUrl('http://ui', 'ml', 'nightly')).toBe('http://ui/namespaces/ml/schedules/nightly');
  });
});
