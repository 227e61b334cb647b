import { createCcxtSource } from '../../exchanges/ccxt/source.ts';
import { createIngestHandler } from '../ingest/ingest-handler.ts';

/** Polls a source through ccxt. A separate function, so that the native one keeps a small bundle. */
export const handler = createIngestHandler(createCcxtSource);
