// The bound to approach: Bun's server and the bytes of a file that it reads at its start, without a router or a look-up.
// `bare PORT FILE`
const [port, file] = process.argv.slice(2);
const body = file ? await Bun.file(file).text() : "{}";
const headers = { "content-type": "application/json" };

Bun.serve({
  port: Number(port),
  hostname: "127.0.0.1",
  development: false,
  fetch: () => new Response(body, { headers }),
});
