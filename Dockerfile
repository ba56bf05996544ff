# syntax=docker/dockerfile:1

# One file for every service image:
#   docker build --build-arg SERVICE=source -t setpoint/source .
#   docker build --build-arg SERVICE=kustomize-render -t setpoint/kustomize-render .
#   docker build --build-arg SERVICE=apply -t setpoint/apply .
#   docker build --build-arg SERVICE=image-automation -t setpoint/image-automation .

ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-bookworm-slim AS build
ARG PNPM_VERSION=12.21.0
RUN npm install --global "pnpm@${PNPM_VERSION}"
WORKDIR /build
COPY . .
ARG SERVICE
RUN test -f "services/${SERVICE}/src/main.ts" || { echo "build argument SERVICE must name a folder of services/" >&2; exit 1; }
RUN --mount=type=cache,id=pnpm,target=/pnpm-store \
    pnpm install --prod --frozen-lockfile --ignore-scripts --store-dir=/pnpm-store --package-import-method=copy \
      --filter "@setpoint/${SERVICE}..."
# The service and the packages that it uses keep their places: Node runs their TypeScript as it is, which it does not
# do below node_modules, where `pnpm deploy` would put them.
RUN pnpm --filter "@setpoint/${SERVICE}..." exec sh -c \
      'to="/app${PWD#/build}" && mkdir -p "$to" && for part in package.json src node_modules; do [ ! -e $part ] || cp -a $part "$to"; done' \
 && cp -a package.json LICENSE node_modules /app/ \
 && ln -s "services/${SERVICE}" /app/service

FROM node:${NODE_VERSION}-bookworm-slim
ARG SERVICE
LABEL org.opencontainers.image.title="setpoint ${SERVICE}" \
      org.opencontainers.image.licenses="Apache-2.0"
# Azure's SDK asks what a Pod has, not the tools of a developer.
ENV NODE_ENV=production AZURE_TOKEN_CREDENTIALS=prod
# One arena for all threads, which keeps less of what was freed.
ENV MALLOC_ARENA_MAX=1
# Where source keeps its mirrors; a volume that is mounted here gets this owner.
RUN mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=build /app /app
# Compiled code, so that a start takes half the CPU: the flags are those of the entry point, for V8 compares them.
ENV NODE_COMPILE_CACHE=/app/.compile-cache
RUN node --disable-warning=ExperimentalWarning --max-semi-space-size=8 --heap-growing-percent=20 /app/service/src/main.ts --help > /dev/null
# The user node, by number, so that Kubernetes can tell that it is not root.
USER 1000:1000
EXPOSE 8080 9090
# An old generation that grows slowly: much less memory for little CPU (packages/cli/src/up/service-set.ts).
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=8", "--heap-growing-percent=20", "/app/service/src/main.ts"]
