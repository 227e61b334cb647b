import { createSource } from '../../exchanges/http/ticker-source.ts';
import { createIngestHandler } from './ingest-handler.ts';

/** Polls a source through our own client of its API. */
export const handler = createIngestHandler(createSource);
