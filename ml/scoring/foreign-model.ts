/** Thrown for a model that is not one of our own, where such a one is not to be loaded: what it takes of memory nobody knows. */
export class ForeignModel extends Error {
  override readonly name = 'ForeignModel';
}
