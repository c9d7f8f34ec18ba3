import { type ServedModel } from '../model/served-model';

/** Thrown when the answers of another model count. */
export class Overruled extends Error {
  constructor(readonly by: ServedModel) {
    super('the model differs from what onnxruntime says');
  }
}

/** Hears what becomes of the judgement of a model. */
export class Judgement {
  private objection: unknown;

  private constructor(private readonly passed: Promise<void>) {}

  static of(model: ServedModel, judged: Promise<ServedModel>): Judgement {
    const judgement: Judgement = new Judgement(
      judged.then((by) => {
        if (by !== model) throw new Overruled(by);
      }),
    );
    judgement.passed.catch((error: unknown) => (judgement.objection = error));
    return judgement;
  }

  /** Throws what is known to speak against the model. */
  throwIfAgainst(): void {
    if (this.objection !== undefined) throw this.objection as Error;
  }

  /** Once nothing speaks against it. */
  pass(): Promise<void> {
    return this.passed;
  }
}
