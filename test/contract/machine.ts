import { container, hexId, withComposeProject, withLabels } from "../support/containers.ts";
import { network, withNetwork } from "../support/networks.ts";

// Of 127.0.0.0/8: a request to a server on this machine can come from any of its addresses, and from no other's.
const shop = network({ name: "shop_default", subnet: "127.0.7.0/24", gateway: "127.0.7.1" });
const blog = network({ name: "blog_default", subnet: "127.0.8.0/24", gateway: "127.0.8.1" });
const bridge = network({ name: "bridge", subnet: "127.0.9.0/24", gateway: "127.0.9.1" });

const named = (name: string, id = hexId(`container ${name}`)) => ({ name, id });

export const HOST = "127.0.0.1";
export const SHOP_WEB = { ...named("shop-web-1"), address: "127.0.7.2" };
/** Also on the other project's network. */
export const SHOP_DB = { ...named("shop-db-1"), address: "127.0.7.3", addressInBlog: "127.0.8.3" };
/** Lives in the network namespace of SHOP_WEB, and has its address. */
export const SHOP_PROXY = named("shop-proxy-1");
export const SHOP_JOB = named("shop-job-1");
export const BLOG_WEB = { ...named("blog-web-1"), address: "127.0.8.2" };
/** Its id begins with what is the service of SHOP_DB. */
export const BLOG_CACHE = { ...named("blog-cache-1", `db${hexId("blog-cache-1").slice(2)}`), address: "127.0.8.4" };
/** In no project. */
export const NEWSFEED = { ...named("newsfeed"), address: "127.0.9.2" };
/** Labelled as ECS does. Its id begins with a part of NEWSFEED's name. */
export const ORDERS = { ...named("orders", `feed${hexId("orders").slice(4)}`), address: "127.0.9.3" };

export const RUNNING = [BLOG_CACHE, BLOG_WEB, NEWSFEED, ORDERS, SHOP_DB, SHOP_PROXY, SHOP_WEB];

/** What the fake engine has: two Compose projects, and two containers outside of them. */
export const MACHINE = {
  networks: [shop, blog, bridge],
  containers: [
    withNetwork(
      withComposeProject(
        container({
          ...SHOP_WEB,
          memoryBytes: 128 * 1024 * 1024,
          cpuShares: 256,
          ports: {
            "8080/tcp": null,
            "80/tcp": [
              { HostIp: "0.0.0.0", HostPort: "32768" },
              { HostIp: "::", HostPort: "32768" },
            ],
          },
          mounts: [
            {
              Type: "volume",
              Name: "shop-data",
              Source: "/volumes/shop-data",
              Destination: "/data",
              Mode: "",
              RW: true,
            },
            { Type: "bind", Source: "/srv/shop", Destination: "/srv", Mode: "", RW: false },
          ],
          health: {
            status: "healthy",
            log: [
              { Start: "2026-01-02T03:04:09.3Z", End: "2026-01-02T03:04:09.4Z", ExitCode: 1, Output: "refused\n" },
              { Start: "2026-01-02T03:04:12.3Z", End: "2026-01-02T03:04:12.4Z", ExitCode: 0, Output: "ok\n" },
              { Start: "2026-01-02T03:04:15.3Z", End: "2026-01-02T03:04:15.4Z", ExitCode: 0, Output: "ok\n" },
            ],
          },
        }),
        "shop",
        "web",
      ),
      shop,
      { ipv4: SHOP_WEB.address },
    ),
    withNetwork(
      withNetwork(withComposeProject(container(SHOP_DB), "shop", "db"), shop, { ipv4: SHOP_DB.address }),
      blog,
      { ipv4: SHOP_DB.addressInBlog },
    ),
    // As Podman tells it; Docker gives such a container no network at all.
    withNetwork(
      withComposeProject(container({ ...SHOP_PROXY, networkMode: `container:${SHOP_WEB.id}` }), "shop", "proxy"),
      shop,
      { ipv4: SHOP_WEB.address },
    ),
    withComposeProject(container({ ...SHOP_JOB, running: false, exitCode: 3 }), "shop", "job"),
    withNetwork(withComposeProject(container(BLOG_WEB), "blog", "web"), blog, { ipv4: BLOG_WEB.address }),
    withNetwork(withComposeProject(container(BLOG_CACHE), "blog", "cache"), blog, { ipv4: BLOG_CACHE.address }),
    withNetwork(container(NEWSFEED), bridge, { ipv4: NEWSFEED.address }),
    withNetwork(
      withLabels(container(ORDERS), {
        "com.amazonaws.ecs.cluster": "staging",
        "com.amazonaws.ecs.container-name": "api",
        "com.amazonaws.ecs.task-arn":
          "arn:aws:ecs:eu-west-1:111122223333:task/staging/0f9de17a6465404e8b1b2356dc13c2f8",
        "com.amazonaws.ecs.task-definition-family": "orders",
        "com.amazonaws.ecs.task-definition-version": "7",
      }),
      bridge,
      { ipv4: ORDERS.address },
    ),
  ],
};
