/** The same numbers where all threads see them: the array itself if it is there already, else a copy. */
export function onSharedMemory<T extends Float32Array | Uint32Array>(array: T): T {
  if (array.buffer instanceof SharedArrayBuffer) return array;
  const bytes = new SharedArrayBuffer(array.byteLength);
  const copy = (array instanceof Float32Array ? new Float32Array(bytes) : new Uint32Array(bytes)) as T;
  copy.set(array);
  return copy;
}
