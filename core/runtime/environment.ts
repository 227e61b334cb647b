import * as z from 'zod';

/** A function's environment variables are not valid; the message names each of them. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** JSON text, checked against a schema. */
export function jsonText<T extends z.ZodType>(schema: T) {
  return z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: `expected JSON, got ${text.slice(0, 80)}` });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/** The text `true` or `false`. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** `host:port,host:port` → brokers. */
export const brokerList = z
  .string()
  .regex(/^[^:,\s]+:\d+(,[^:,\s]+:\d+)*$/, 'expected host:port, several separated by commas')
  .transform((text) => text.split(','));

/**
 * Reads a function's environment at start.
 * @throws EnvironmentError with one line for each missing or malformed variable
 */
export function readEnvironment<T extends z.ZodObject>(
  schema: T,
  environment: NodeJS.ProcessEnv,
): z.infer<T> {
  const result = schema.safeParse(environment);
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => {
    const [variable, ...inside] = path;
    return `- ${String(variable)}${inside.length > 0 ? ` (${inside.join('.')})` : ''}: ${
      environment[String(variable)] === undefined ? 'is not set' : message
    }`;
  });
  throw new EnvironmentError(`The function's environment is not valid:\n${lines.join('\n')}`);
}
