/** The part of Powertools' logger that we use. */
export interface Log {
  info(message: string, ...detail: Record<string, unknown>[]): void;
  warn(message: string, ...detail: Record<string, unknown>[]): void;
  error(message: string, ...detail: Record<string, unknown>[]): void;
}
