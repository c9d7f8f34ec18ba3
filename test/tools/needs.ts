/** What a test may need of the machine, beside Node: a program that judges us, or a right that not every user has. */
export type Need =
  | 'dvc'
  | 'minio'
  | 'model-signing'
  | 'compose'
  | 'kubernetes'
  | 'prometheus'
  | 'python'
  | 'skl2onnx'
  | 'schemathesis'
  | 'docker'
  | 'second-engine'
  | 'small-disk';

/** The programs by the variables that name them; jest.config.cjs sets those that the set-up has put into the cache. */
const VARIABLES: Partial<Record<Need, readonly string[]>> = {
  dvc: ['RETRAIN_TEST_DVC'],
  minio: ['RETRAIN_TEST_MINIO'],
  'model-signing': ['RETRAIN_TEST_MODEL_SIGNING'],
  compose: ['RETRAIN_TEST_COMPOSE'],
  kubernetes: ['RETRAIN_TEST_KUSTOMIZE', 'RETRAIN_TEST_KUBERNETES_VALIDATE'],
  prometheus: ['RETRAIN_TEST_PROMETHEUS', 'RETRAIN_TEST_PROMTOOL'],
  python: ['RETRAIN_TEST_PYTHON'],
  skl2onnx: ['RETRAIN_TEST_SKL2ONNX'],
  schemathesis: ['RETRAIN_TEST_SCHEMATHESIS'],
};

/** Whether all variables of a program are set. */
export function has(need: Need): boolean {
  return (VARIABLES[need] ?? []).every((name) => Boolean(process.env[name]));
}

/**
 * `test` where the need is met. Elsewhere it is skipped, under a name that says what it needs: the last line of `make test` counts those
 * and says why the machine has it not.
 */
export function testWith(need: Need, met = has(need)): jest.It {
  return met ? test : marked(test.skip, need);
}

/** `describe`, likewise. */
export function describeWith(need: Need, met = has(need)): jest.Describe {
  return met ? describe : marked(describe.skip, need);
}

function marked<T extends jest.It | jest.Describe>(skip: T, need: Need): T {
  const mark = (name: unknown): string => `${String(name)} [needs ${need}]`;
  return new Proxy(skip, {
    apply: (target, self, [name, ...rest]: unknown[]) =>
      Reflect.apply(target, self, [mark(name), ...rest]) as unknown,
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property);
      if (property !== 'each') return member;
      return (...table: unknown[]) =>
        (name: unknown, ...rest: unknown[]): unknown =>
          (Reflect.apply(member as jest.Each, target, table) as (...args: unknown[]) => unknown)(
            mark(name),
            ...rest,
          );
    },
  });
}
