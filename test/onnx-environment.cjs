const { TestEnvironment } = require('jest-environment-node');

/**
 * Node's environment with the typed arrays that onnxruntime knows: its native part checks them by constructor, and
 * Jest's sandbox has its own. For test files that begin with `@jest-environment ./test/onnx-environment.cjs`.
 */
module.exports = class OnnxEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    Object.assign(this.global, {
      Float32Array,
      Float64Array,
      Int32Array,
      Uint8Array,
      BigInt64Array,
      BigUint64Array,
    });
  }
};
