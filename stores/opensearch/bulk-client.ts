import { AwsSigv4Signer } from '@opensearch-project/opensearch/aws';
import connectionModule from '@opensearch-project/opensearch/lib/Connection.js';
import { ConnectionPool } from '@opensearch-project/opensearch/lib/pool/index.js';
import serializerModule from '@opensearch-project/opensearch/lib/Serializer.js';
import transportModule from '@opensearch-project/opensearch/lib/Transport.js';
import { CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { lambdaCredentials } from '../aws/lambda-credentials.ts';
import type { BulkClient } from './bulk.ts';
import type { OpenSearchEnvironment } from './environment.ts';

/** These files are CommonJS and export their class as the module itself; their types say it were its `default`. */
const classOf = <Class>(module: { default: Class }) => module as unknown as Class;
const Connection = classOf(connectionModule);
const Serializer = classOf(serializerModule);
const Transport = classOf(transportModule);

/**
 * The part of OpenSearch's client that writing takes: connections that are kept alive, signing, time limits. The
 * whole client names every call of the API, a quarter of the index function's bundle. Like ours everywhere, it never
 * tries anything again by itself.
 */
export function createBulkClientOf(environment: OpenSearchEnvironment): BulkClient {
  const { OPENSEARCH_URL, OPENSEARCH_AUTH, AWS_REGION = '' } = environment;
  const classes =
    OPENSEARCH_AUTH === 'iam'
      ? AwsSigv4Signer({ region: AWS_REGION, service: 'es', getCredentials: lambdaCredentials })
      : { Connection, Transport };
  const emit = () => false;
  const connectionPool = new ConnectionPool({
    Connection: classes.Connection,
    // There is one address; whether it lives, each request finds out.
    resurrectStrategy: 'none',
    emit,
  });
  connectionPool.addConnection(OPENSEARCH_URL);
  return {
    transport: new classes.Transport({
      emit,
      connectionPool,
      serializer: new Serializer(),
      maxRetries: 0,
      requestTimeout: CALL_TIMEOUTS_MS.openSearch,
      sniffEndpoint: '',
    }),
  };
}
