import { SCORES } from '../data-sets';
import { classifiesAsScikitLearn, regressesAsScikitLearn } from './as-scikit-learn';

/** Of the generated tables each variant has three here; the others are in the soak. */
const few = Object.keys(SCORES.classification).filter((name) => !/^generated-(9|1\d)$/.test(name));

describe.each(few)('on %s', classifiesAsScikitLearn);

describe.each(Object.keys(SCORES.regression))('on %s', regressesAsScikitLearn);
