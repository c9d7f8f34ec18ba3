import type { Notice } from '../../../contracts/notice';

/** A notice as a promotion of iris makes it. */
export function notice(change: Partial<Notice> = {}): Notice {
  return {
    id: 'run-1-promotion',
    kind: 'promotion',
    title: 'iris-classifier v4 is in production',
    text: 'Its accuracy is 0.9667, v3 has 0.9333.',
    model: 'iris-classifier',
    pipelineKey: '0123456789abcdef'.repeat(4),
    workflowId: 'train-iris-classifier-0123456789abcdef',
    workflowRunId: 'run-1',
    modelVersion: '4',
    metrics: { accuracy: 0.966_666, f1_score: 0.9666 },
    reason: 'accuracy 0.9667 > 0.9333',
    links: { temporal: 'http://127.0.0.1:8233/wf?a=1&b=2', mlflow: 'http://127.0.0.1:5000/#/experiments/1' },
    at: '2026-01-31T03:00:00.000Z',
    ...change,
  };
}
