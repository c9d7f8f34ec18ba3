import fc from 'fast-check';
import { checkedInput } from '../../workflows/training-input';

const code = (input: unknown): string => {
  try {
    checkedInput(input);
    return 'taken';
  } catch (error) {
    const { type, nonRetryable, message } = error as { type: string; nonRetryable: boolean; message: string };
    expect(message).not.toContain('\n');
    return nonRetryable ? `${type} ${message}` : message;
  }
};

describe('what a workflow is started with', () => {
  it.each([undefined, {}, { params: 'a.yaml' }, { overrides: { train: { seed: 1 } } }, { force: true }])(
    '%j is taken',
    (input) => {
      expect(code(input)).toBe('taken');
    },
  );

  it.each([
    [null, 'CONFIG_INVALID the input must be a mapping such as {} or {"params": "params.yaml"}, got null'],
    [[], 'CONFIG_INVALID the input must be a mapping such as {} or {"params": "params.yaml"}, got a list'],
    [
      'params.yaml',
      'CONFIG_INVALID the input must be a mapping such as {} or {"params": "params.yaml"}, got a string',
    ],
    [
      { parms: 'x' },
      'CONFIG_INVALID the input has the unknown key "parms", expected params, overrides, force, project, spec',
    ],
    [{ params: 1 }, 'CONFIG_INVALID the input.params must be a text, got a number'],
    [{ overrides: [] }, 'CONFIG_INVALID the input.overrides must be a mapping, got a list'],
    [{ force: 'yes' }, 'CONFIG_INVALID the input.force must be a truth value, got a string'],
    [
      { spec: {} },
      'CONFIG_INVALID the input.spec is not what a client made; leave it out, and the worker fills it in',
    ],
  ])('%j is refused at once', (input, message) => {
    expect(code(input)).toBe(message);
  });

  it('whatever JSON it is: taken, or refused without a retry', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (input) => expect(code(input)).toMatch(/^(taken$|CONFIG_INVALID )/)),
    );
  });
});
