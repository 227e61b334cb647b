/**
 * In a bundle with ccxt this stands for protobufjs, which ccxt wants for dYdX's orders and MEXC's private streams only,
 * and loads when they are used. We use neither; anybody who does is told so.
 */
const missing = new Proxy(
  {},
  {
    get() {
      throw new Error(
        'protobufjs is not part of this bundle: nothing here trades, or listens to private streams',
      );
    },
  },
);

export default missing;
