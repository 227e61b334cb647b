/**
 * Replaces protobufjs in a bundle with ccxt, which loads it only for dYdX's orders and MEXC's private streams. We use
 * neither.
 */
const missing = new Proxy(
  {},
  {
    get() {
      throw new Error(
        'protobufjs is not part of this bundle: it neither trades nor listens to private streams',
      );
    },
  },
);

export default missing;
