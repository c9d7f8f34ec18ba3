import { parseOverrides } from '../../../client/run/overrides';

describe('--set', () => {
  it('makes a mapping of dotted keys, values as YAML', () => {
    expect(
      parseOverrides(['train.n_estimators=200', 'train.seed=1', 'model=a=b', 'gate={f1_score: 0.5}', 'x=']),
    ).toEqual({
      train: { n_estimators: 200, seed: 1 },
      model: 'a=b',
      gate: { f1_score: 0.5 },
      x: null,
    });
  });

  it.each(['train', '=1', '.train=1', 'train.=1', 'a..b=1', ' =1'])(
    '%s is told how it is written',
    (text) => {
      expect(() => parseOverrides([text])).toThrow(
        '--set takes key=value such as train.n_estimators=200, got',
      );
    },
  );

  it.each(['__proto__.model=x', 'train.__proto__=1', 'constructor.prototype.a=1'])(
    '%s is refused',
    (text) => {
      expect(() => parseOverrides([text])).toThrow('is no key of params.yaml');
      expect(({} as Record<string, unknown>)['model']).toBeUndefined();
    },
  );

  it.each(['a=[', 'a=*b', 'a=&x [*x, *x]', 'a="', 'a=b: c: d'])('%s is no YAML value', (text) => {
    expect(() => parseOverrides([text])).toThrow('--set a: ');
  });
});
