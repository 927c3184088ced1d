"""One table a caller's protocol: what happens to each of its request fields when the call is translated.

A name is a path: ``tools[].strict``. ``tools[].type=custom`` is an object of that kind, ``tools[].*`` any other member
of the object, ``tools[].type=*`` any other kind. A member that no line names is dropped and named in the losses.
"""
