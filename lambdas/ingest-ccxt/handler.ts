import { createIngestHandler } from '../ingest/ingest-handler.ts';
import { createCcxtSource } from '../ingest/sources/ccxt-source.ts';

/** Polls a source through ccxt; a function of its own, so that the bundle of the native ones stays small. */
export const handler = createIngestHandler(createCcxtSource);
