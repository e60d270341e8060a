import { describe, expect, test } from "bun:test";
import { planLoopback, planRules } from "../../../src/network/plan.ts";
import { printDown, printUp, systemdUnit } from "../../../src/network/print.ts";

const steps = planRules(51679, [
  { name: "docker0", ifindex: 3, was: "0" },
  { name: "eth0.5", ifindex: 4, was: "1" },
]);
const commands = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("the commands", () => {
  test("of up are each behind what they are for, in the order of the plan", () => {
    const text = printUp(steps);
    expect(text).toStartWith("# the chain ECS-LOCAL-GUARD of raw\niptables -w 5 -t raw -N ECS-LOCAL-GUARD\n");
    expect(commands(text)).toHaveLength(steps.length);
    expect(text).toContain("\nsysctl -w net.ipv4.conf.docker0.route_localnet=1\n");
    // sysctl reads a slash for the dot of a name.
    expect(text).toContain("\nsysctl -w net.ipv4.conf.eth0/5.route_localnet=1\n");
  });

  test("of down are in the order of the steps, without what was there before", () => {
    const lines = commands(printDown(steps.toReversed()));
    expect(lines[0]).toStartWith("iptables -w 5 -t nat -D PREROUTING ");
    expect(lines.at(-1)).toBe("iptables -w 5 -t raw -X ECS-LOCAL-GUARD");
    expect(lines.filter((line) => line.startsWith("sysctl"))).toEqual([
      "sysctl -w net.ipv4.conf.docker0.route_localnet=0",
    ]);
    expect(printDown(planLoopback(true))).toBe("");
    expect(printDown(planLoopback(false))).toBe("ip address del 169.254.170.2/32 dev lo\n");
  });

  test("are of the kind of iptables that made the rules", () => {
    expect(printUp(steps, "iptables-nft")).toContain("\niptables-nft -w 5 -t nat -N ECS-LOCAL-OUTPUT\n");
    expect(printDown(steps, "iptables-nft")).not.toContain("iptables -w");
  });

  test("are what a shell takes as the same words", () => {
    const name = "a'$(b) c";
    const text = printUp(planRules(1, [{ name, ifindex: 1, was: "0" }]));
    const dnat = commands(text).find((line) => line.includes("DNAT")) ?? "";
    const { stdout } = Bun.spawnSync(["sh", "-c", `printf '%s\\n' ${dnat}`]);
    expect(stdout.toString().split("\n")).toContain(name);
  });
});

describe("the unit", () => {
  test("runs up at the start and down at the end", () => {
    const unit = systemdUnit(["/usr/bin/ecs-local-endpoints"], ["--port", "5000"]);
    expect(unit).toContain("\nExecStart=/usr/bin/ecs-local-endpoints network up --port 5000\n");
    expect(unit).toContain("\nExecStop=/usr/bin/ecs-local-endpoints network down\n");
    expect(unit).not.toContain("Environment=");
  });
  test("quotes what systemd would read otherwise, and names the engine that was named", () => {
    const unit = systemdUnit(["/opt/a b/50%/x"], [], "tcp://box:2375");
    expect(unit).toContain('\nExecStart="/opt/a b/50%%/x" network up\n');
    expect(unit).toContain("\nEnvironment=DOCKER_HOST=tcp://box:2375\n");
  });
  test("has a dollar doubled in an argument alone, where systemd would put a variable", () => {
    const unit = systemdUnit(["/opt/$a/bun", "/opt/$a/main.ts"], ["--bridge", "br$1"], "unix:///run/$a 1%.sock");
    expect(unit).toContain("\nExecStart=/opt/$a/bun /opt/$$a/main.ts network up --bridge br$$1\n");
    expect(unit).toContain('\nEnvironment="DOCKER_HOST=unix:///run/$a 1%%.sock"\n');
  });
});
