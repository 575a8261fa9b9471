# `docker build .` makes the gateway; `--target demo` one with a Glance to try.
FROM python:3.12-slim AS source
RUN useradd --create-home gateway
WORKDIR /home/gateway
COPY pyproject.toml README.md LICENSE source/
COPY gateway source/gateway

FROM source AS demo
RUN pip install --no-cache-dir './source[demo]'
USER gateway
EXPOSE 8000 9292
ENTRYPOINT ["glance-gateway"]
CMD ["demo", "--host", "0.0.0.0"]

FROM source AS gateway
RUN pip install --no-cache-dir ./source
USER gateway
EXPOSE 8000
ENTRYPOINT ["glance-gateway"]
CMD ["serve", "--host", "0.0.0.0"]
