// Plays by a grant with viem alone.
import { createClient, http } from "viem";
import { createBundlerClient } from "viem/account-abstraction";
import { privateKeyToAccount } from "viem/accounts";
import { grantedAccount } from "/granted_account.mjs";

export async function player({ chain, key, grant }) {
  const client = createClient({ chain, transport: http() });
  const account = await grantedAccount({ client, owner: privateKeyToAccount(key), handOver: grant });
  const bundler = createBundlerClient({ account, client, transport: http("/bundler"), pollingInterval: 50 });
  const play = async (call) => {
    const hash = await bundler.sendUserOperation({ calls: [call] });
    const { success, receipt } = await bundler.waitForUserOperationReceipt({ hash });
    return { success, transaction: receipt.transactionHash };
  };
  return { address: account.address, play };
}
