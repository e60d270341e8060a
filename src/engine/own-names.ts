import type { Container } from "./container.ts";
import type { Picture } from "./container-store.ts";

/**
 * The names that other containers have for the one that we run in: its own, its aliases, and each of them with a
 * network's name behind it, as Docker's DNS takes them. In lower case; read anew when the picture changes.
 */
export function createOwnNames(
  picture: Pick<Picture, "containers" | "revision">,
  isOwn: (container: Container) => boolean,
): () => ReadonlySet<string> {
  let revision = Number.NaN;
  let names = new Set<string>();
  return () => {
    if (revision === picture.revision()) return names;
    revision = picture.revision();
    const own = [...picture.containers.values()].find((container) => container.running && isOwn(container));
    names = new Set(own ? namesOf(own).map((name) => name.toLowerCase()) : []);
    return names;
  };
}

function namesOf({ name, attachments }: Container): string[] {
  return attachments.flatMap((attachment) =>
    [name, ...(attachment.aliases ?? [])].flatMap((own) => [own, `${own}.${attachment.name}`]),
  );
}
