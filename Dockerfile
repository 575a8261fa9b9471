# `docker build .` makes the gateway; `--target demo` one with a Glance to try.
FROM python:3.12-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim AS home
RUN useradd --create-home gateway
WORKDIR /home/gateway
COPY --from=wheel /wheels wheels

FROM home AS demo
RUN pip install --no-cache-dir "$(echo wheels/*.whl)[demo]"
USER gateway
EXPOSE 8000 9292
ENTRYPOINT ["glance-gateway"]
CMD ["demo", "--host", "0.0.0.0"]

FROM home AS gateway
RUN pip install --no-cache-dir wheels/*.whl
USER gateway
EXPOSE 8000
ENTRYPOINT ["glance-gateway"]
CMD ["serve", "--host", "0.0.0.0"]
