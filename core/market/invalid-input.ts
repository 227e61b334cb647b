/** An input (a series, a time, a window, a picture) is not valid; the message says what was expected. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
}
