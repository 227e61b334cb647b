/** Somebody's input (a series, time, duration or window) is not valid; the message says what was expected. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
}
