// Java: prints the addresses of a name (the platform's resolver), or its SRV records (the JNDI DNS provider).
//
// usage: java Stub any|4|6|srv NAME
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Hashtable;
import javax.naming.NameNotFoundException;
import javax.naming.NamingEnumeration;
import javax.naming.directory.Attribute;
import javax.naming.directory.InitialDirContext;

public class Stub {
  public static void main(String[] arguments) throws Exception {
    StringBuilder lines = new StringBuilder();
    try {
      if (arguments[0].equals("srv")) {
        Hashtable<String, String> environment = new Hashtable<>();
        environment.put("java.naming.factory.initial", "com.sun.jndi.dns.DnsContextFactory");
        environment.put("java.naming.provider.url", "dns://127.0.0.1/");
        Attribute srv =
            new InitialDirContext(environment).getAttributes(arguments[1], new String[] {"SRV"}).get("SRV");
        if (srv != null) {
          NamingEnumeration<?> records = srv.getAll();
          while (records.hasMore()) lines.append(records.next()).append('\n');
        }
      } else {
        for (InetAddress address : InetAddress.getAllByName(arguments[1])) {
          String family = address instanceof Inet4Address ? "4" : "6";
          if (arguments[0].equals("any") || arguments[0].equals(family))
            lines.append(address.getHostAddress()).append('\n');
        }
      }
    } catch (UnknownHostException | NameNotFoundException absent) {
      // as it should be
    }
    System.out.print(lines.length() == 0 ? "not found\n" : lines);
  }
}
