import { SCORES } from '../ml/forest/data-sets';
import { classifiesAsScikitLearn } from '../ml/forest/histogram/as-scikit-learn';

describe.each(Object.keys(SCORES.classification))('on %s', classifiesAsScikitLearn);
