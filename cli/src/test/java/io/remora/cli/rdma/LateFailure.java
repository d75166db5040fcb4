package io.remora.cli.rdma;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.CmRequest;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.Context;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** A context whose accepted connections get no queue pair; all else is as the context behind it does it. Stateless. */
final class LateFailure {
  /** What a method of the interface does here. */
  private interface Change {
    Object call(Method method, Object[] arguments) throws Throwable;
  }

  private LateFailure() {}

  static Context of(Context context) {
    return around(Context.class, context, "connectionManager",
        (manager, arguments) -> managerOf(context.connectionManager(), context));
  }

  private static ConnectionManager managerOf(ConnectionManager manager, Context context) {
    return around(ConnectionManager.class, manager, "listen", (listen, arguments) -> {
      CmListener.Handler handler = (CmListener.Handler) arguments[2];
      arguments[2] = (CmListener.Handler) request -> handler.onConnectRequest(requestOf(request, context));
      return call(manager, listen, arguments);
    });
  }

  private static CmRequest requestOf(CmRequest request, Context context) {
    return around(CmRequest.class, request, "attach",
        (attach, arguments) -> around(CmId.class, request.attach(context, (CmId.Handler) arguments[1]),
            "createQueuePair", (create, none) -> {
              throw new RemoraException(Status.NO_RESOURCES, "all queue pairs are taken");
            }));
  }

  /** {@code target}, with another {@code method}. */
  private static <T> T around(Class<T> type, T target, String method, Change change) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
        (proxy, called, arguments) -> called.getName().equals(method)
            ? change.call(called, arguments == null ? new Object[0] : arguments)
            : call(target, called, arguments)));
  }

  private static Object call(Object target, Method method, Object @Nullable [] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
