# Stands in for AWS's base image where that cannot be fetched: Debian with Python and Lambda's own client. For `make image-test` alone.
FROM scratch
COPY rootfs /
ARG PIP_CERT
RUN rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \
    && python3 -m pip install --no-cache-dir --root-user-action=ignore awslambdaric==4.2.2
ENV LAMBDA_TASK_ROOT=/var/task
WORKDIR /var/task
ENTRYPOINT ["python3", "-m", "awslambdaric"]
