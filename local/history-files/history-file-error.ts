/** A file of price history cannot be loaded; the message says where, what is wrong and what to do. */
export class HistoryFileError extends Error {
  override readonly name = 'HistoryFileError';
  readonly file: string;
  /** Counted from 1, as an editor does; undefined if the whole file is at fault. */
  readonly line: number | undefined;

  constructor(
    file: string,
    problem: string,
    { line, advice, cause }: { line?: number | undefined; advice: string; cause?: unknown },
  ) {
    super(`${file}${line === undefined ? '' : `, line ${line}`}: ${problem}. ${advice}.`, { cause });
    this.file = file;
    this.line = line;
  }

  /** The error of another process. */
  static of(file: string, line: number | undefined, message: string): HistoryFileError {
    return Object.assign(new HistoryFileError(file, '', { line, advice: '' }), { message });
  }
}
