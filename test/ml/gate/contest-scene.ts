import { type Comparison } from '../../../contracts/comparison';
import { PromoteParams } from '../../../contracts/params';
import { type Metrics } from '../../../contracts/stage';
import { type Contest, decidePromotion, type PromotionDecision } from '../../../ml/gate/decide-promotion';
import { type PromotionPolicy } from '../../../ml/gate/judge-comparison';

export interface Scene {
  candidate: Metrics;
  /** Of the champion; null: it could not be scored. */
  its: Metrics | null;
  /** Null: nothing is in production. */
  champion: null;
  error: string;
  noBetter: string | null;
  gate: Contest['gate'];
  policy: Partial<PromotionPolicy>;
  comparison: Partial<Comparison>;
}

const contest = (scene: Partial<Scene>): Contest => {
  const candidate = scene.candidate ?? { accuracy: 0.9667, f1_score: 0.96 };
  const its = scene.its === undefined ? { accuracy: 0.9333, f1_score: 0.97 } : scene.its;
  const comparison = its && {
    rows: 30,
    heldOut: 30,
    seenByChampion: 0,
    seenByCandidate: 0,
    unknown: null,
    candidate,
    champion: its,
    differences: {},
    slices: [],
    sliced: [],
    ...scene.comparison,
  };
  return {
    candidate,
    champion: scene.champion === null ? null : { version: '3', comparison, error: scene.error ?? null },
    gate: scene.gate ?? { accuracy: 0.9 },
    policy: {
      ...PromoteParams.parse({}),
      metric: 'accuracy',
      intervalLevel: 0.95,
      ...scene.policy,
    },
    rows: 30,
    noBetter: scene.noBetter ?? null,
  };
};

/** What becomes of a candidate; what a scene leaves out is as in the first test. */
export const decide = (scene: Partial<Scene>): PromotionDecision => decidePromotion(contest(scene));
