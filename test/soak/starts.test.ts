import { describeStartsAtOnce } from '../integration/pipeline/starts-at-once';

jest.setTimeout(240_000);

describeStartsAtOnce(50);
