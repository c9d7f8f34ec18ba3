export { trainingPipeline } from './training-pipeline';
export { deliverNotice } from './deliver-notice';
export { modelSteward } from './model-steward';
export { batchPrediction } from './batch-prediction';
export { monitorModel } from './monitor-model';
export { alarmDesk } from './alarm-desk';
export { collect } from './collect';
export { collectDay } from './collect-day';
