/** What the code says while it works; Powertools' logger is one of these. */
export interface Log {
  info(message: string, ...detail: Record<string, unknown>[]): void;
  warn(message: string, ...detail: Record<string, unknown>[]): void;
  error(message: string, ...detail: Record<string, unknown>[]): void;
}
