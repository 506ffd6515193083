# chemomech with DOLFINx 0.9 on Debian 13.
#
#   docker build -t chemomech .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" chemomech mpirun -n 2 chemomech run my_wire.toml
#
# BASE may be any Debian 13 image. PIP_CERT names a certificate bundle mounted during the build, for networks whose
# proxy has its own certificate.
ARG BASE=debian:trixie-slim
FROM ${BASE}

COPY packages/debian.txt /opt/chemomech/packages/
RUN apt-get update \
    && sed 's/#.*//' /opt/chemomech/packages/debian.txt \
       | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*

ARG PIP_CERT
RUN python3 -m venv --system-site-packages /opt/python
ENV PATH=/opt/python/bin:$PATH

# The dependencies first, so that a change of the sources does not install them again
COPY pyproject.toml README.md /opt/chemomech/
RUN python3 -c 'import tomllib; print(*tomllib.load(open("/opt/chemomech/pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
       > /opt/chemomech/requirements.txt \
    && python3 -c 'from importlib.metadata import version; print("fenics-dolfinx==" + version("fenics-dolfinx"))' \
       > /opt/chemomech/constraints.txt \
    && pip install --no-cache-dir --constraint /opt/chemomech/constraints.txt \
       --requirement /opt/chemomech/requirements.txt
COPY . /opt/chemomech
RUN pip install --no-cache-dir --no-deps --no-build-isolation /opt/chemomech

# Compiled forms are kept here, for whichever user the container runs as
ENV XDG_CACHE_HOME=/var/cache/chemomech
RUN useradd --create-home chemomech \
    && mkdir -p "$XDG_CACHE_HOME" /work \
    && chmod 1777 "$XDG_CACHE_HOME" /work
# One thread a rank, pictures without a display, more ranks than cores. Ranks of one machine meet in its memory; of the
# ways over the network, which ranks on several nodes need (so not OMPI_MCA_btl=self,sm), Open MPI's netlink would look
# for one from this machine to itself, and complain of it.
ENV OMP_NUM_THREADS=1 \
    VTK_DEFAULT_OPENGL_WINDOW=vtkEGLRenderWindow \
    OMPI_MCA_reachable=weighted \
    PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
USER chemomech
WORKDIR /work
CMD ["chemomech", "--help"]
