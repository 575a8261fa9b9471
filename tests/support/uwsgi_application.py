"""Glance's WSGI application as uWSGI loads it."""

from importlib import import_module

from sqlalchemy import Engine, event

from gateway.demo.server import begin_to_write

event.listen(Engine, "before_cursor_execute", begin_to_write, retval=True)
application = import_module("glance.wsgi.api").application
