/** A series, time, duration or window that someone asked for makes no sense; the message says what was expected. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
}
