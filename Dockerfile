# One image for api, worker, indexer and board; docker-compose.yml chooses the command.
FROM node:24-bookworm-slim AS build
# better-sqlite3 is compiled where no ready-made binary fits.
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 make g++ \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json turbo.json tsconfig.base.json ./
COPY scripts scripts
COPY packages packages
COPY apps apps
# Members of the workspace that are not run here: the lock file names them.
COPY bench/package.json bench/package.json
COPY torture/package.json torture/package.json
RUN npm ci --no-audit --no-fund \
  && npx turbo run build --filter='./apps/*'
# Once more, with what the apps need to run and nothing else; then away with sources, tests, maps and other builds of Swagger UI.
RUN rm -rf node_modules packages/*/node_modules apps/*/node_modules \
  && npm ci --omit=dev --no-audit --no-fund \
    -w @ruyi/api -w @ruyi/worker -w @ruyi/indexer -w @ruyi/board -w @ruyi/cli \
  && rm -rf packages/*/src packages/*/test apps/*/src apps/*/test packages/testkit node_modules/@ruyi/testkit .turbo \
    node_modules/swagger-ui-dist/*.map node_modules/swagger-ui-dist/*-es-* node_modules/swagger-ui-dist/swagger-ui.js \
  && find packages apps \( -name '*.map' -o -name '*.d.ts' -o -name 'tsconfig*' \) -not -path '*/node_modules/*' -delete

FROM node:24-bookworm-slim
# `docker compose exec api ruyi …`
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY --from=build /app/apps apps
RUN mkdir data && chown node:node data
USER node
CMD ["node", "apps/api/dist/main.js"]
