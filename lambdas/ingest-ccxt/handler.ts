import { createCcxtSource } from '../../exchanges/ccxt/source.ts';
import { createIngestHandler } from '../ingest/ingest-handler.ts';

/** Polls a source through ccxt; a function of its own, so that the bundle of the native ones stays small. */
export const handler = createIngestHandler(createCcxtSource);
