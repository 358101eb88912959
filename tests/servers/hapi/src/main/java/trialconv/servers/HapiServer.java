/*
 * Licensed under the Apache License, Version 2.0.
 */
package trialconv.servers;

import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.r5.JpaR5Config;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import java.net.InetSocketAddress;
import java.util.Map;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.core.env.MapPropertySource;

/**
 * A HAPI FHIR JPA server of one FHIR version on the loopback interface.
 *
 * <p>Arguments: R4 or R5, a port (0 for any), and the JDBC url of an H2 database. When it answers, it prints its base
 * address, the only line on standard output.
 */
public final class HapiServer {

  private static final Map<String, Class<?>> VERSIONS = Map.of("R4", JpaR4Config.class, "R5", JpaR5Config.class);

  private HapiServer() {}

  public static void main(String[] arguments) throws Exception {
    AnnotationConfigApplicationContext beans = new AnnotationConfigApplicationContext();
    beans
        .getEnvironment()
        .getPropertySources()
        .addFirst(new MapPropertySource("arguments", Map.of(Storage.DATABASE, arguments[2])));
    beans.register(VERSIONS.get(arguments[0]), Storage.class);
    beans.refresh();

    Server server = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[1])));
    ServletContextHandler handler = new ServletContextHandler("/");
    handler.addServlet(new ServletHolder(fhirServlet(beans)), "/fhir/*");
    server.setHandler(handler);
    server.setStopAtShutdown(true);
    server.start();
    int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    System.out.println("http://127.0.0.1:" + port + "/fhir");
    server.join();
    beans.close();
  }

  private static RestfulServer fhirServlet(AnnotationConfigApplicationContext beans) {
    IFhirSystemDao<?, ?> dao = beans.getBean(IFhirSystemDao.class);
    RestfulServer servlet = new RestfulServer(dao.getContext());
    servlet.registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
    servlet.registerProvider(beans.getBean(JpaSystemProvider.class));
    servlet.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
    servlet.setServerConformanceProvider(
        new JpaCapabilityStatementProvider(
            servlet,
            dao,
            beans.getBean(JpaStorageSettings.class),
            beans.getBean(ISearchParamRegistry.class),
            beans.getBean(IValidationSupport.class)));
    return servlet;
  }
}
