export { trainingPipeline } from './training-pipeline';
export { deliverNotice } from './deliver-notice';
