# scripts/image stages what is copied here, and builds; without it there is nothing to copy. No RUN: it builds for any
# architecture on any machine, with the classic builder and with buildx.
FROM scratch

# First, because the classic builder knows the platform from a COPY alone; and the same for each.
COPY dist/image/any/ /

# buildx sets it; the classic builder wants --build-arg TARGETARCH=amd64.
ARG TARGETARCH
COPY dist/image/${TARGETARCH}/ /

LABEL org.opencontainers.image.title="ecs-local-endpoints" \
      org.opencontainers.image.description="Amazon ECS task endpoints for containers on a developer's machine" \
      org.opencontainers.image.licenses="Apache-2.0"

# HOME is that of the image that this one replaces: ~/.aws is mounted at /home/.aws. All addresses: in a container,
# loopback is nobody's but ours.
ENV HOME=/home \
    ECS_LOCAL_BIND_ADDRESS=::

EXPOSE 80

# No USER: the socket is its group's and ~/.aws its owner's, and files written for the image that this one replaces mount
# both for root. To run as yourself: --user "$(id -u):$(stat -c %g /var/run/docker.sock)".

# Unhealthy is a server that does not answer. One whose engine or identity is lost says so, and is healthy.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/ecs-local-endpoints", "healthcheck"]

ENTRYPOINT ["/ecs-local-endpoints"]
