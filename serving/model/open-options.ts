import { type OnnxBounds } from './onnx-process';

/** How a model is opened. */
export interface OpenOptions {
  /** Column by another name that callers use for it; `iris.sepal.length: sepal_length`. */
  aliases?: Readonly<Record<string, string>>;
  /** A `model_metadata.json`, absolute, for the cut-off of a model whose directory tells none. */
  metadata?: string;
  /** What the process of a model may take that runs in onnxruntime. */
  bounds?: OnnxBounds;
}
