import { Logger } from '@aws-lambda-powertools/logger';

/** JSON lines on stdout; level and service from Powertools' own environment variables. */
export function createLogger(serviceName: string): Logger {
  return new Logger({ serviceName });
}
