import { AwsSigv4Signer } from '@opensearch-project/opensearch/aws';
import connectionModule from '@opensearch-project/opensearch/lib/Connection.js';
import { ConnectionPool } from '@opensearch-project/opensearch/lib/pool/index.js';
import serializerModule from '@opensearch-project/opensearch/lib/Serializer.js';
import transportModule from '@opensearch-project/opensearch/lib/Transport.js';
import { CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { lambdaCredentials } from '../aws/lambda-credentials.ts';
import type { BulkClient } from './bulk-connection.ts';
import type { OpenSearchEnvironment } from './environment.ts';

/** These CommonJS files export their class as the module itself, while their types declare it as `default`. */
const classOf = <Class>(module: { default: Class }) => module as unknown as Class;
const Connection = classOf(connectionModule);
const Serializer = classOf(serializerModule);
const Transport = classOf(transportModule);

/**
 * The part of OpenSearch's client that writing needs: keep-alive connections, signing, timeouts, and no retries of its
 * own. The complete client contains every API call and would be a quarter of the index function's bundle.
 */
export function createBulkClientOf(environment: OpenSearchEnvironment): BulkClient {
  const { OPENSEARCH_URL, OPENSEARCH_AUTH, AWS_REGION = '' } = environment;
  const classes =
    OPENSEARCH_AUTH === 'iam'
      ? AwsSigv4Signer({ region: AWS_REGION, service: 'es', getCredentials: lambdaCredentials })
      : { Connection, Transport };
  const emit = () => false;
  // There is only one address, so a dead connection needs no resurrection: the next request tries it.
  const connectionPool = new ConnectionPool({
    Connection: classes.Connection,
    resurrectStrategy: 'none',
    emit,
  });
  connectionPool.addConnection(OPENSEARCH_URL);
  const transport = new classes.Transport({
    emit,
    connectionPool,
    serializer: new Serializer(),
    maxRetries: 0,
    requestTimeout: CALL_TIMEOUTS_MS.openSearch,
    sniffEndpoint: '',
  });
  return { transport };
}
