import { createSource } from '../../exchanges/http/ticker-source.ts';
import { createIngestHandler } from './ingest-handler.ts';

/** Polls a source whose API we speak ourselves. */
export const handler = createIngestHandler(createSource);
