# One image, three functions: the command of each is in infra/template.yaml. docs/operations.md tells how it is built and rolled back.
ARG BASE=public.ecr.aws/lambda/python:3.13

FROM ${BASE} AS build
# Where a network answers with a certificate of its own, `make image` hands it in.
ARG PIP_CERT
COPY requirements/app.lock infra/prune_botocore.py infra/drop_services.py /build/
# Wheels alone: nothing is compiled here, so no compiler is needed, and the hashes of the lock hold for every byte.
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-compile \
        --require-hashes --only-binary :all: --target /app --requirement /build/app.lock \
    && PYTHONPATH=/app python3 /build/prune_botocore.py /app/botocore-data \
    && python3 /build/drop_services.py /app
COPY manage.py /app/
COPY accounts /app/accounts
COPY cart /app/cart
COPY catalog /app/catalog
COPY orders /app/orders
COPY shop /app/shop
COPY templates /app/templates
COPY static /app/static
COPY infra/collect_static.py /build/
# What browsers fetch comes from /app/staticfiles with names that say what is in them. Bytecode that is never looked over again:
# the same bytes from the same source, and nothing to compile at a cold start, where the file system cannot be written to.
RUN PYTHONPATH=/app python3 /build/collect_static.py /app \
    && rm -rf /app/static /app/bin /app/share /app/README.rst /app/REVISION \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /app > /dev/null \
    && chmod -R a+rX /app

FROM ${BASE}
ENV DJANGO_SETTINGS_MODULE=shop.settings PYTHONDONTWRITEBYTECODE=1 BOTOCORE_DATA=/var/task/botocore-data
WORKDIR /var/task
COPY --from=build /app /var/task
# Lambda chooses a user of its own with fewer rights still; this is for whoever runs the image elsewhere.
USER 1000:1000
CMD ["shop.entrypoints.web.handler"]
